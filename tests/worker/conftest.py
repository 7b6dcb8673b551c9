import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """The nets here are tiny: a second thread gains nothing, and on a busy machine it waits most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
