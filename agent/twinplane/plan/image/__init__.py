"""An image: verified copies of its files in the state directory. Knows no file system."""
