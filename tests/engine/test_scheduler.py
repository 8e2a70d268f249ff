import threading

from lsp_server.engine.job import Job
from lsp_server.engine.scheduler import Scheduler


def job(key: str = "a", *, patient: bool = False) -> Job:
    return Job(key, lambda _model: (), patient=patient)


def never() -> bool:
    return False


def test_a_newer_job_takes_the_waiting_place_of_its_key():
    scheduler, old, new = Scheduler(), job(), job()
    scheduler.submit(old)
    scheduler.submit(new)
    assert old.future.result(0).finish_reason == "superseded"
    assert scheduler.take(never) is new


def test_a_newer_job_makes_the_running_one_of_its_key_leave():
    scheduler, running = Scheduler(), job()
    scheduler.submit(running)
    scheduler.take(never)
    scheduler.submit(job())
    assert running.left
    assert running.reason == "superseded"
    assert not running.future.done(), "the worker is still on it"


def test_keys_take_turns_and_typing_fast_does_not_lose_ones_turn():
    scheduler, second = Scheduler(), job("b")
    scheduler.submit(job("a"))
    scheduler.submit(second)
    newest = job("a")
    scheduler.submit(newest)
    assert scheduler.take(never) is newest
    assert scheduler.take(never) is second


def test_a_cancelled_job_that_waits_ends_at_once():
    scheduler, waiting = Scheduler(), job()
    scheduler.submit(waiting)
    scheduler.cancel(waiting)
    assert waiting.future.result(0).finish_reason == "cancelled"
    assert scheduler.idle


def test_cancelling_a_job_leaves_the_newer_one_of_its_key_alone():
    scheduler, old, new = Scheduler(), job(), job()
    scheduler.submit(old)
    scheduler.take(never)
    scheduler.submit(new)
    scheduler.cancel(old)
    assert not new.left


def test_dropping_a_key_ends_what_waits_and_what_runs():
    scheduler, running, waiting = Scheduler(), job(), job()
    scheduler.submit(running)
    scheduler.take(never)
    scheduler.submit(waiting)
    scheduler.drop("a", "cancelled")
    assert running.left
    assert waiting.future.result(0).finish_reason == "cancelled"


def test_it_is_idle_once_the_worker_is_through():
    scheduler, only = Scheduler(), job()
    scheduler.submit(only)
    scheduler.take(never)
    assert not scheduler.idle
    scheduler.done(only)
    assert scheduler.idle


def test_closing_ends_all_jobs_and_refuses_new_ones():
    scheduler, waiting, late = Scheduler(), job(), job()
    scheduler.submit(waiting)
    scheduler.close()
    scheduler.submit(late)
    assert waiting.future.result(0).finish_reason == "cancelled"
    assert late.future.result(0).finish_reason == "cancelled"
    assert scheduler.take(never) is None


def test_a_worker_that_waits_for_a_job_is_woken_by_one():
    scheduler, taken = Scheduler(), []
    thread = threading.Thread(target=lambda: taken.append(scheduler.take(never)))
    thread.start()
    only = job()
    scheduler.submit(only)
    thread.join(10)
    assert taken == [only]


def test_a_worker_that_waits_can_be_interrupted():
    scheduler, stop, taken = Scheduler(), threading.Event(), []
    thread = threading.Thread(target=lambda: taken.append(scheduler.take(stop.is_set)))
    thread.start()
    stop.set()
    scheduler.wake()
    thread.join(10)
    assert taken == [None]


def test_it_is_free_for_a_key_if_nothing_else_would_be_waited_for():
    scheduler = Scheduler()
    scheduler.submit(job("patient", patient=True))
    scheduler.take(never)
    scheduler.submit(job("a"))
    assert scheduler.is_free_for("a")
    assert not scheduler.is_free_for("b")


def test_a_patient_job_waits_for_all_others():
    scheduler, patient = Scheduler(), job("a", patient=True)
    others = [job("b"), job("c")]
    for each in (patient, *others):
        scheduler.submit(each)
    assert [scheduler.take(never) for _ in range(3)] == [*others, patient]


def test_a_patient_job_that_runs_gives_way_to_another():
    scheduler, patient = Scheduler(), job("a", patient=True)
    scheduler.submit(patient)
    scheduler.take(never)
    scheduler.submit(job("b", patient=True))
    assert not patient.left, "not to one that is patient too"
    scheduler.submit(job("c"))
    assert patient.reason == "yielded"
