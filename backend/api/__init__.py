"""REST, events and errors over HTTP: thin routes over `backend.services`."""
