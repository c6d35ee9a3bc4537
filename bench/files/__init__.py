"""Files that are either whole or not there: atomic writes, checksums, folders published by rename, kernel locks."""
