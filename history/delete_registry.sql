-- Deletes the registered models whose names are in `leaving`, and all that an earlier build made from
-- promotions: those have a tag that names who decided.
INSERT OR IGNORE INTO leaving SELECT name FROM model_version_tags WHERE key = 'decided_by';
DELETE FROM model_version_tags WHERE name IN leaving;
DELETE FROM registered_model_aliases WHERE name IN leaving;
DELETE FROM model_versions WHERE name IN leaving;
DELETE FROM registered_models WHERE name IN leaving;
