-- What MLflow shows in addition to the promotions: the last challenger that the gate refused, as
-- version 0 (promotions are numbered from 1), and the stage of each version.

INSERT INTO model_versions (name, version, creation_time, last_updated_time, description,
  source, storage_location, run_id, current_stage, status)
WITH refused AS (
  SELECT experiments.name AS model, runs.run_uuid AS push,
         row_number() OVER (PARTITION BY experiments.name
                            ORDER BY start_time DESC, runs.run_uuid) AS place
  FROM tags JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id)
  WHERE tags.key = 'gate' AND tags.value = 'refused' AND in_history(artifact_uri)
)
SELECT model, 0, runs.end_time, runs.end_time, reason.value || ' (its files are not kept)',
       'runs:/' || runs.run_uuid, runs.artifact_uri, runs.run_uuid, 'None', 'READY'
FROM refused
JOIN registered_models ON registered_models.name = model
JOIN tags AS reason ON reason.run_uuid = push AND reason.key = 'gate.reason'
JOIN params AS chosen ON chosen.run_uuid = push AND chosen.key = 'challenger'
JOIN tags AS parent ON parent.key = 'mlflow.parentRunId' AND parent.value = push
JOIN params AS algorithm ON algorithm.run_uuid = parent.run_uuid AND algorithm.key = 'algorithm'
  AND algorithm.value = chosen.value
JOIN runs ON runs.run_uuid = parent.run_uuid
WHERE place = 1
ON CONFLICT DO NOTHING;

INSERT INTO registered_model_aliases (name, alias, version)
SELECT name, 'challenger', version FROM model_versions WHERE version = 0;

UPDATE model_versions SET current_stage = coalesce(
  (SELECT CASE alias WHEN 'champion' THEN 'Production' ELSE 'Staging' END
   FROM registered_model_aliases AS known
   WHERE known.name = model_versions.name AND known.version = model_versions.version),
  'Archived')
WHERE name IN (SELECT name FROM model_version_tags WHERE key = 'decided_by');

INSERT INTO model_version_tags (name, version, key, value)
SELECT name, version, 'stage', lower(current_stage) FROM model_versions
WHERE name IN (SELECT name FROM model_version_tags WHERE key = 'decided_by');
