"""Which test worker runs what: a file is run by one worker, and the files that take longest come first.

A module's fixtures and what a process keeps of a vocabulary or a schema are then made once and not in every worker,
and no long file is left to one worker when the others have nothing left.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# from 5 to 25 seconds each, the longest first; all others follow by their number of tests
LONG = (
    "test_promises.py",
    "engine/kernels/test_gpu_lattice.py",
    "training/test_train.py",
    "engine/lattice/test_lattice.py",
    "generation/test_unique_items.py",
    "engine/lattice/test_regimes_agree.py",
    "sources/test_regex.py",
    "sources/test_undeclared_members.py",
    "verbs/test_call.py",
    "test_public.py",
    "sources/test_spelling.py",
    "sources/test_declared.py",
    "engine/lattice/test_explore.py",
    "engine/test_jit.py",
    "conformance/test_fuzz.py",
    "verbs/test_windows.py",
    "cli/test_pages.py",
    "cli/test_extract.py",
    "conformance/test_regimes.py",
    "engine/kernels/test_gpu_kernels.py",
    "sources/test_json_schema.py",
    "training/test_documents.py",
    "cli/test_demo.py",
    "conformance/test_answers.py",
    "verbs/test_stream.py",
    "sources/test_outline.py",
    "test_typing.py",
    "training/test_refilling.py",
    "test_twins.py",
    "integrations/test_diffusers.py",
    "bench/test_gpu.py",
    "conformance/test_lists.py",
    "mini/test_rehearsal.py",
)


class LongFilesFirst(LoadFileScheduling):
    """pytest-xdist's `--dist loadfile`, in another order."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        for name in reversed(LONG):
            if f"tests/{name}" in self.workqueue:
                self.workqueue.move_to_end(f"tests/{name}", last=False)
        super()._assign_work_unit(node)
