"""Many documents, one line of JSON each: an end at any moment loses at most the line that is being written.

| module | one idea |
|---|---|
| `worker.py` | what a row is answered with |
| `requests.py` | the requests of OpenAI's batch files, and the lines of their responses |
| `rows.py` | what there is to read: files, folders, and the lines of JSONL and CSV files |
| `store.py` | the lines written so far, and which rows they answer |
| `pool.py` | rows answered in processes of their own |
"""

from structgen.batch.pool import answered
from structgen.batch.rows import BatchRow, rows
from structgen.batch.store import Store
from structgen.batch.worker import RowWorker, lost

__all__ = ["BatchRow", "RowWorker", "Store", "answered", "lost", "rows"]
