"""The dashboard: Dash pages on the API's own ASGI app. It asks `backend.services`, never the database."""
