"""基本目录 in sheets: entries taken in row by row, and given out as they came."""
