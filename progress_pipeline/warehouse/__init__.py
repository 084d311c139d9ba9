"""The DuckDB file: opening it, building the SQL models, publishing. The only room that writes SQL to DuckDB.

Its modules by subject:

    the file                connection, locking
    SQL on disk             sql_folder, sql_text, metadata, models, checking; portability, portable_words: its dialect
    all models together     graph, lineage, dictionary
    building                building; deciding what is to be done, by standing and build_state
    by key                  changed_keys, rows_of_keys, refreshing; workbench: what they share
    why that is right       by_key, key_scope, row_by_row
    publishing              publishing, filling, verifying, parquet, versions, readme, personal
    read by other rooms     state, gaps, news, evidence, overview, check_charts, reading
"""
