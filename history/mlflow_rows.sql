-- The rows of MLflow's tables for an experiment, a run and a promotion, in the SQL that SQLite and
-- PostgreSQL share. Each name is a part of the record, as `mlflow_rows.py` yields it; what follows a
-- colon is a field of that part or of what the part belongs to. The order of the parts is that of
-- insertion.

-- name: experiment
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,
  last_update_time)
VALUES (:id, :name, :location, 'active', :created, :created);

-- name: run
INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage,
  artifact_uri, experiment_id)
VALUES (:run_id, :name, :user, :status, :started, :ended, :lifecycle_stage,
  :address || '/artifacts', :experiment_id);

-- name: run.params
INSERT INTO params (run_uuid, key, value) VALUES (:run_id, :key, :value);

-- name: run.tags
INSERT INTO tags (run_uuid, key, value) VALUES (:run_id, :key, :value);

-- name: run.metrics
INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan)
VALUES (:run_id, :key, :time, :step, :value, :is_nan);

-- name: run.latest
INSERT INTO latest_metrics (run_uuid, key, timestamp, step, value, is_nan)
VALUES (:run_id, :key, :time, :step, :value, :is_nan);

-- name: run.datasets
INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type,
  dataset_source, dataset_schema, dataset_profile)
VALUES (:dataset_id, :experiment_id, :name, :digest, :source_type, :source, :schema, :profile)
ON CONFLICT DO NOTHING;

INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
SELECT :input_id, 'DATASET', dataset_uuid, 'RUN', :run_id, 0
FROM datasets WHERE experiment_id = :experiment_id AND name = :name AND digest = :digest;

-- name: run.datasets.tags
INSERT INTO input_tags (input_uuid, name, value) VALUES (:input_id, :key, :value);

-- name: run.model_inputs
INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
VALUES (:input_id, 'RUN_INPUT', :run_id, 'MODEL_INPUT', :value, 0);

-- name: run.model_outputs
INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
VALUES (:input_id, 'RUN_OUTPUT', :run_id, 'MODEL_OUTPUT', :model_id, :step);

-- name: run.models
INSERT INTO logged_models (model_id, experiment_id, name, model_type, source_run_id,
  artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, status_message,
  lifecycle_stage)
VALUES (:model_id, :experiment_id, :name, :type, :run_id, :address || '/models/' || :model_id,
  :created, :updated,
  CASE :status WHEN 'UNSPECIFIED' THEN 0 WHEN 'PENDING' THEN 1 WHEN 'READY' THEN 2
    WHEN 'FAILED' THEN 3 END,
  :status_message, 'active');

-- name: run.models.params
INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value)
VALUES (:model_id, :experiment_id, :key, :value);

-- name: run.models.tags
INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value)
VALUES (:model_id, :experiment_id, :key, :value);

-- name: run.models.metrics
-- PostgreSQL wants to know the type of a value that may be NULL and is used twice.
INSERT INTO logged_model_metrics (model_id, experiment_id, metric_name, metric_timestamp_ms,
  metric_step, metric_value, run_id, dataset_uuid, dataset_name, dataset_digest)
VALUES (:model_id, :experiment_id, :key, :timestamp, :step, :value, :run_id,
  (SELECT dataset_uuid FROM datasets WHERE experiment_id = :experiment_id
    AND name = CAST(:dataset_name AS TEXT) AND digest = CAST(:dataset_digest AS TEXT)),
  CAST(:dataset_name AS TEXT), CAST(:dataset_digest AS TEXT));

-- name: promotion
INSERT INTO registered_models (name, creation_time, last_updated_time)
VALUES (:model, :promoted, :promoted)
ON CONFLICT (workspace, name) DO UPDATE SET last_updated_time = :promoted;

INSERT INTO registered_model_aliases (name, alias, version) VALUES (:model, 'champion', :version)
ON CONFLICT (workspace, name, alias) DO UPDATE SET version = :version;

INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, source,
  storage_location, run_id, current_stage, status)
VALUES (:model, :version, :promoted, :promoted, :reason, 'models:/' || :model_id,
  :address || '/models/' || :model_id, :run_id, 'None', 'READY');

INSERT INTO model_version_tags (name, version, key, value)
VALUES (:model, :version, 'decided_by', :decided_by), (:model, :version, 'commit', :commit),
  (:model, :version, 'reason', :reason), (:model, :version, 'sha256', :sha256);
