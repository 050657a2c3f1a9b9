"""What a setting may be, how it is written, and which there are: read and checked before any data are."""
