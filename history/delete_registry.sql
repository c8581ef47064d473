-- Deletes the registered models whose names are in `leaving`, and all that an earlier build made from
-- promotions: those have a tag that names who decided. A model that a user has given tags stays, without
-- versions: its tags refer to it.
INSERT INTO leaving SELECT name FROM model_version_tags WHERE key = 'decided_by'
ON CONFLICT DO NOTHING;
DELETE FROM model_version_tags WHERE name IN (SELECT id FROM leaving);
DELETE FROM registered_model_aliases WHERE name IN (SELECT id FROM leaving);
DELETE FROM model_versions WHERE name IN (SELECT id FROM leaving);
DELETE FROM registered_models WHERE name IN (SELECT id FROM leaving)
  AND name NOT IN (SELECT name FROM registered_model_tags);
