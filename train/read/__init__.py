"""A file becomes runs of rows on a grid."""
