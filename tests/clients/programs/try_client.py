"""Calls the API with a client in Python, and prints the answers as JSON."""

import json
import sys

from mlops_client import Client
from mlops_client.api.explain import explain_housing
from mlops_client.api.models import get_model, list_models
from mlops_client.api.open_inference_protocol import infer_with_version
from mlops_client.api.predict import predict, predict_housing
from mlops_client.models import (
    Explanation,
    HousingPrediction,
    HousingPredictions,
    HousingRecord,
    HousingTable,
    InferenceRequest,
    InferenceResponse,
    IrisPrediction,
    IrisRecord,
    Problem,
)

client = Client(base_url=sys.argv[1])
golden = json.loads(sys.argv[2])
house, iris = HousingRecord.from_dict(golden["house"]), IrisRecord.from_dict(
    golden["iris"]
)

one = predict_housing.sync(client=client, body=house)
several = predict_housing.sync(client=client, body=[house, house])
table = predict_housing.sync(
    client=client,
    body=HousingTable.from_dict({"features": [list(golden["house"].values())]}),
)
assert isinstance(one, HousingPrediction)
assert isinstance(several, HousingPredictions) and isinstance(table, HousingPredictions)

any_task = predict.sync(client=client, body=iris)
assert isinstance(any_task, IrisPrediction)  # the task decides the type

explained = explain_housing.sync(client=client, body=house)
assert isinstance(explained, Explanation)
models = list_models.sync(client=client).additional_properties
model = get_model.sync("housing", client=client)
inputs = [
    {
        "name": name,
        "shape": [1, 1],
        "datatype": "FP32",
        "data": [value],
    }
    for name, value in golden["iris"].items()
]
inferred = infer_with_version.sync(
    "iris",
    str(models["iris"].version),
    client=client,
    body=InferenceRequest.from_dict({"inputs": inputs}),
)
assert isinstance(inferred, InferenceResponse)

wrong = HousingRecord.from_dict(golden["house"] | {"MedInc": -1.0})
refused = predict_housing.sync_detailed(client=client, body=wrong)
assert isinstance(refused.parsed, Problem)

seen = {
    "one": one.prediction,
    "several": [row.prediction for row in several.predictions],
    "table": [row.prediction for row in table.predictions],
    "flower": any_task.prediction,
    "explained": explained.values.additional_properties,
    "models": {task: card.version for task, card in models.items()},
    "features": [feature.name for feature in model.features],
    "inferred": [output.name for output in inferred.outputs],
    "refused": [
        int(refused.status_code),
        [fault.pointer for fault in refused.parsed.errors],
    ],
}
print(json.dumps(seen))
