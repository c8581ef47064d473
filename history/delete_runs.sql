-- Deletes the runs whose IDs are in `leaving`, with all that belongs to them.
INSERT INTO leaving
SELECT input_uuid FROM inputs
WHERE source_id IN (SELECT id FROM leaving) OR destination_id IN (SELECT id FROM leaving)
UNION SELECT model_id FROM logged_models WHERE source_run_id IN (SELECT id FROM leaving);
DELETE FROM input_tags WHERE input_uuid IN (SELECT id FROM leaving);
DELETE FROM inputs WHERE input_uuid IN (SELECT id FROM leaving);
DELETE FROM logged_model_metrics WHERE model_id IN (SELECT id FROM leaving);
DELETE FROM logged_model_params WHERE model_id IN (SELECT id FROM leaving);
DELETE FROM logged_model_tags WHERE model_id IN (SELECT id FROM leaving);
DELETE FROM logged_models WHERE model_id IN (SELECT id FROM leaving);
DELETE FROM params WHERE run_uuid IN (SELECT id FROM leaving);
DELETE FROM tags WHERE run_uuid IN (SELECT id FROM leaving);
DELETE FROM metrics WHERE run_uuid IN (SELECT id FROM leaving);
DELETE FROM latest_metrics WHERE run_uuid IN (SELECT id FROM leaving);
DELETE FROM runs WHERE run_uuid IN (SELECT id FROM leaving);
DELETE FROM datasets WHERE NOT EXISTS (
  SELECT 1 FROM inputs WHERE source_type = 'DATASET' AND source_id = dataset_uuid
);
