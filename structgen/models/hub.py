"""Fetching models by their name on the Hugging Face Hub, and explaining failures."""

from __future__ import annotations

import re
from pathlib import Path

from structgen.errors import ModelNotFound

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # owner/name
WANTED = ["*.json", "*.jinja", "*.safetensors"]


def is_hub_name(name: str) -> bool:
    """Whether the name has the form owner/name."""
    return REPOSITORY.fullmatch(name) is not None


def fetched(name: str, revision: str | None = None) -> Path:
    """The folder of a model on the Hub, downloaded unless it is in huggingface_hub's cache.

    Raises ModelNotFound, with a one-sentence message, if there is no such model, it is gated, or the Hub is
    unreachable.
    """
    import huggingface_hub
    from huggingface_hub import errors

    at = name if revision is None else f"{name} at {revision}"
    try:
        # the smallest file first, so that a refusal comes before gigabytes are fetched
        huggingface_hub.hf_hub_download(name, "config.json", revision=revision)
        return Path(huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=WANTED))
    except errors.GatedRepoError:
        reason = f"is gated: accept its terms on https://huggingface.co/{name}, then `hf auth login`"
    except errors.RepositoryNotFoundError:
        reason = "is no model on the Hugging Face Hub, or one that only some accounts may see: check the name"
    except errors.RevisionNotFoundError:
        reason = "is no revision of that model"
    except errors.RemoteEntryNotFoundError:
        reason = "holds no config.json, so it is no model that can be loaded"
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError):
        reason = (
            "cannot be reached and is not in the local cache: go online once, or name the folder of its files"
        )
    except errors.HfHubHTTPError as error:
        reason = f"was not given out by the Hugging Face Hub: {str(error).splitlines()[0]}"
    raise ModelNotFound(f"{at} {reason}")
