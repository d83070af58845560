"""Items as rows of a sheet: the column names of several systems, import, approval of one, export."""
