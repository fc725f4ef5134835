"""A fiber: a piece of work on a thread of its own that stops at its questions, and goes on when it is resumed.

Only one side runs at a time, the fiber or whoever resumes it. So work that is written as plain function calls can be
interleaved with other work, step by step, without locks and in an order that does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from threading import Lock, Thread
from typing import Any


class Abandoned(BaseException):
    """Nobody waits for this work any more; no `except Exception` on its way may keep it going."""


class Fiber:
    """Work that is under way.

    question: what it waits for, None if nothing; ended: whether it has returned, `value`, or raised, `error`
    """

    def __init__(self, work: Callable[[Callable[[Any], Any]], object]) -> None:
        """work: gets `ask`, which takes a question and returns the answer with which the fiber is resumed."""
        self.question: Any = None
        self.ended = False
        self.value: object = None
        self.error: BaseException | None = None
        self._work, self._answer = work, None
        self._going, self._stopped = Lock(), Lock()
        self._going.acquire()
        self._stopped.acquire()
        self._running = False
        context = copy_context()  # of whoever asks for the work
        self._thread = Thread(target=context.run, args=(self._run,), name="structgen row", daemon=True)
        self._begun = False

    def resume(self, answer: object = None) -> None:
        """Give the answer to the question and wait until the fiber asks again or ends; an exception is raised there."""
        self._answer, self.question, self._running = answer, None, True
        if self._begun:
            self._going.release()
        else:
            self._begun = True
            self._thread.start()
        self._wait()

    def abandon(self) -> None:
        """End the fiber where it is. Nothing happens if it has ended."""
        if self._running:  # whoever resumed it was interrupted while it waited
            self._wait()
        while self._begun and not self.ended:
            self.resume(Abandoned())
        self.ended = True

    def _wait(self) -> None:
        self._stopped.acquire()
        self._running = False

    def _ask(self, question: object) -> object:
        self.question = question
        self._stopped.release()
        self._going.acquire()
        answer, self._answer = self._answer, None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _run(self) -> None:
        try:
            self.value = self._work(self._ask)
        except BaseException as error:  # it is whoever waits for the value that has to know
            self.error = error
        self.ended = True
        self._stopped.release()
