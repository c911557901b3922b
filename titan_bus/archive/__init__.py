"""What is kept beyond the streams: segments in a folder or a bucket, written, read and brought back."""
