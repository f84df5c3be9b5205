"""One file for each row or group of rows that share their processes."""
