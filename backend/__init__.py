"""The job server: FastAPI over services over SQLAlchemy. It never imports torch, dash, worker or frontend."""
