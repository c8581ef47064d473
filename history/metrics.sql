-- The metrics of the history: one view per metric; its columns are the labels and, last, the value.

-- Every push on which the gate decided and every manual promotion, numbered from 1 by time. The
-- metrics are those of `run`: the run of a push has those of the model by which it was evaluated.
CREATE TEMP TABLE pushes AS
WITH promoted AS (
    SELECT versions.name, CAST(versions.version AS TEXT) AS version, versions.creation_time, versions.run_id,
           decided.value AS decided_by, code.value AS code, parent.value AS push
    FROM model_versions AS versions
    JOIN model_version_tags AS decided USING (workspace, name, version)
    JOIN model_version_tags AS code USING (workspace, name, version)
    LEFT JOIN tags AS parent
        ON parent.run_uuid = versions.run_id AND parent.key = 'mlflow.parentRunId'
    WHERE decided.key = 'decided_by' AND code.key = 'commit'
), events AS (
    SELECT experiments.name AS task, runs.start_time AS time, runs.run_uuid AS run,
           coalesce(code.value, '') AS code, gate.value AS decision,
           coalesce(promoted.version, '') AS version
    FROM tags AS gate
    JOIN runs ON runs.run_uuid = gate.run_uuid
    JOIN experiments ON experiments.experiment_id = runs.experiment_id
    LEFT JOIN tags AS code
        ON code.run_uuid = gate.run_uuid AND code.key = 'mlflow.source.git.commit'
    LEFT JOIN promoted ON promoted.push = gate.run_uuid AND promoted.decided_by = 'gate'
    WHERE gate.key = 'gate' AND in_history(runs.artifact_uri)
    UNION ALL
    SELECT name, creation_time, run_id, code, 'manual', version
    FROM promoted
    WHERE decided_by = 'hand'
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY task ORDER BY time, run) AS number
    FROM events
)
SELECT *,
       max(number) OVER (PARTITION BY task) AS pushes,
       max(number) FILTER (WHERE decision <> 'refused')
           OVER (PARTITION BY task ORDER BY number) AS champion -- the push that it came by
FROM numbered;

-- One series per metric and push: only for the newest pushes of a task.
CREATE TEMP VIEW shown AS
SELECT * FROM pushes WHERE number > pushes - 200;

CREATE TEMP VIEW holdout AS
SELECT run_uuid AS run, substr(key, 9) AS metric, value
FROM latest_metrics
WHERE substr(key, 1, 8) = 'holdout_' AND NOT is_nan;

CREATE TEMP VIEW model_history_metric AS
SELECT task, metric, number AS push, substr(code, 1, 7) AS "commit", decision, version, value
FROM shown JOIN holdout USING (run);

CREATE TEMP VIEW model_history_champion_metric AS
SELECT shown.task, metric, shown.number AS push, value
FROM shown
JOIN pushes AS source ON source.task = shown.task AND source.number = shown.champion
JOIN holdout ON holdout.run = source.run;

CREATE TEMP VIEW model_history_pushed_timestamp_seconds AS
SELECT task, number AS push, time / 1000.0 AS value FROM shown;

CREATE TEMP VIEW model_history_pushes AS
SELECT DISTINCT task, pushes AS value FROM pushes;

CREATE TEMP VIEW model_history_runs AS
SELECT name AS task, (
    SELECT count(*) FROM runs
    WHERE runs.experiment_id = experiments.experiment_id AND in_history(artifact_uri)
) AS value
FROM experiments
WHERE name IN (SELECT task FROM pushes);
