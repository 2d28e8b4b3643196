"""Many tasks on the processors of this machine or of a cluster: each done once, each failure one row."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import SettingError
from .store import Store
from .tasks import Task, perform

if TYPE_CHECKING:
    from distributed import Client, Future

Report = Callable[[str, float], object]

AHEAD = 3
"""Tasks given out for each worker at a time: enough that none waits, few enough that a cancelled run stops soon."""
POLL = 0.5
"""Seconds between two looks at what is running too long."""
STARTED = "takens task started"
MAIN_GUARD = 'Put the call under `if __name__ == "__main__":`; new processes read the script again.'


@dataclass(frozen=True)
class Row:
    """What became of one task: its `outcome` holds "result" or "failed"; `fresh` if it was done now."""

    task: Task
    outcome: Mapping[str, Any]
    fresh: bool

    @property
    def failed(self) -> str:
        """The reason of a failure, empty for a result."""
        return str(self.outcome.get("failed", ""))


def run_tasks(
    tasks: Sequence[Task],
    store: Store,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    limit: float | None = None,
    retry: bool = False,
    report: Report | None = None,
) -> list[Row]:
    """Do all tasks that `store` does not hold, and return a row for each, in the order of `tasks`.

    A result is kept as soon as it is there, so an interrupted run goes on where it stopped. A task that raises, takes
    more than `limit` seconds, or whose process dies three times is a row with its reason; the others go on. Failures
    are kept too, and done again with `retry`. Work runs in `workers` processes of this machine (None: one a processor),
    encrypted among themselves, or on the Dask cluster at `scheduler` ("tcp://host:8786"), which needs takens installed.
    `report(label, share)` is called after each task. Raises `SettingError` where no cluster answers. Cost: a second to
    start the processes; then about 2 ms a task. In a script, call it under `if __name__ == "__main__":`.
    """
    if workers is not None and workers < 1:
        raise SettingError(f"workers is {workers}", remedy="Ask for at least one.")
    rows: dict[str, Row] = {}
    open_tasks: dict[str, Task] = {}
    for task in tasks:
        kept = store.get(task.key)
        if kept is not None and not (retry and "failed" in kept):
            rows[task.key] = Row(task, kept, fresh=False)
        else:
            open_tasks[task.key] = task
    total = len(rows) + len(open_tasks)
    if open_tasks:
        with _client(workers, scheduler) as client, client.as_current():
            for key, outcome in _Round(client, open_tasks, limit).outcomes():
                task = open_tasks[key]
                about = {"job": task.job, "revision": task.revision, "settings": task.settings, "label": task.label}
                kept = {"task": about, "argv": sys.argv, **outcome}
                store.put(key, kept)
                rows[key] = Row(task, kept, fresh=True)
                if report is not None:
                    report(task.label or key, len(rows) / total)
    return [rows[task.key] for task in tasks]


@dataclass
class _Round:
    """One pass over tasks on a running cluster."""

    client: Client
    tasks: Mapping[str, Task]
    limit: float | None
    running: dict[str, tuple[float, str]] = field(default_factory=dict)

    def outcomes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and outcome of each task as it ends."""
        from distributed import wait

        self.client.subscribe_topic(STARTED, self._started)
        waiting = list(self.tasks)[::-1]
        flight: dict[Future, str] = {}
        while waiting or flight:
            while waiting and len(flight) < AHEAD * max(1, len(self.client.scheduler_info(n_workers=-1)["workers"])):
                key = waiting.pop()
                flight[self._submit(key)] = key
            with contextlib.suppress(TimeoutError):
                wait(list(flight), timeout=POLL, return_when="FIRST_COMPLETED")
            for future in [one for one in flight if one.done()]:
                key = flight.pop(future)
                self.running.pop(key, None)
                yield key, _outcome(future)
            for future in [one for one, key in flight.items() if self._late(key)]:
                key = flight.pop(future)
                yield key, self._stop(future, key)

    def _submit(self, key: str) -> Future:
        task = self.tasks[key]
        return self.client.submit(_on_worker, key, task.job, dict(task.settings), key=f"takens-{key}", pure=False)

    def _started(self, event: tuple[float, Any]) -> None:
        """Note that a task has begun, and where; called from the thread that listens to the scheduler."""
        _, (key, address) = event
        self.running[key] = (time.monotonic(), address)

    def _late(self, key: str) -> bool:
        began, _ = self.running.get(key, (time.monotonic(), ""))
        return self.limit is not None and time.monotonic() - began > self.limit

    def _stop(self, future: Future, key: str) -> dict[str, Any]:
        """Give a task up and restart its process, since compiled code cannot be interrupted from inside."""
        _, address = self.running.pop(key)
        future.cancel(force=True)
        with contextlib.suppress(Exception):  # a worker without a nanny cannot be restarted, only left alone
            self.client.restart_workers([address], timeout=30, raise_for_error=False)
        return {"failed": f"took more than {self.limit:g} seconds", "seconds": self.limit}


def _on_worker(key: str, job: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The task in its process."""
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(STARTED, (key, worker.address))
    return perform(job, settings)


def _outcome(future: Future) -> dict[str, Any]:
    """The outcome of a finished future; one without is a process that died."""
    if future.status == "finished":
        found: dict[str, Any] = future.result()
        return found
    error = future.exception() if future.status == "error" else "cancelled"
    died = type(error).__name__ == "KilledWorker"
    return {"failed": "its process died several times" if died else f"{type(error).__name__}: {error}"}


@contextlib.contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator[Client]:
    """A connection to the cluster at an address, or to one of this machine that ends with it."""
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    # A worker holds the task it is doing and no other, so that none pays for a neighbour that takes the process along.
    # No pages are served, and nothing listens beyond this machine.
    settings = {
        "distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.allowed-failures": 2,
        "distributed.scheduler.http.routes": [], "distributed.worker.http.routes": [],
    }  # fmt: skip
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        if scheduler is not None:
            try:
                yield stack.enter_context(Client(scheduler, timeout="10s", set_as_default=False))
            except OSError as error:
                remedy = "Start one with `dask scheduler`, or leave it out to use this machine."
                raise SettingError(f"no cluster answers: {error}", place=scheduler, remedy=remedy) from None
            return
        security = Security.temporary()  # other users of the machine must not be able to hand work to our processes
        options = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
        try:
            local = LocalCluster(
                **options,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                security=security,
                silence_logs=50,
            )
        except RuntimeError as error:
            raise SettingError("the processes could not start", remedy=MAIN_GUARD) from error
        cluster = stack.enter_context(local)
        yield stack.enter_context(Client(cluster, security=security, set_as_default=False))
