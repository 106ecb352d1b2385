-- A store of format 1, as the first build that had it wrote it.
CREATE TABLE processes (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL
) STRICT;
CREATE TABLE items (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, item TEXT NOT NULL, UNIQUE (kind, id)
) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO processes (id, record) VALUES
  ('web', '{"args":["100"],"env":{"A":"b"},"cwd":null,"autoStartOnRestore":true,"tags":["x"],"lifetime":"persistent","restart":"on_failure","input":"none","project":"/tmp","session":null,"id":"web","command":"sleep"}'),
  ('old', '{"id":"old","command":"true"}');
INSERT INTO items (kind, id, item) VALUES
  ('template', 't', '{"template_id":"t","name":"server","description":null,"category":null,"command":"{{program}}","args":[],"env":{},"default_cwd":null,"default_auto_start":false,"variables":[],"tags":[],"created_at":"2026-11-01T00:00:00.000Z","updated_at":"2026-11-01T00:00:00.000Z"}'),
  ('clip', 'c', '{"id":"c","content":"text","filename":null,"created_at":"2026-11-01T00:00:00.000Z","updated_at":"2026-11-01T00:00:00.000Z","content_type":"text","tags":[]}'),
  ('event', '1', '{"number":1,"timestamp":"2026-11-01T00:00:00.000Z","process_id":"web","event_type":"created","message":"was created"}');
INSERT INTO facts VALUES ('console settings', '{"language":"ja"}');
PRAGMA user_version = 1;
