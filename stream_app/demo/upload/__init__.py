"""The demo of an upload: a file over HTTP, and the rest of it judged."""
