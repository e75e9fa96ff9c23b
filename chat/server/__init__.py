"""The server's own protocol classes for uvicorn: what one connection may cost before the application sees it."""
