"""Archives of pictures and videos: one part of a table a file, in a folder that grows until all are done."""
