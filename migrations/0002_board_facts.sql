-- Facts of the board itself that outlive processes, such as why the last dispatcher ended.
CREATE TABLE board_facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
