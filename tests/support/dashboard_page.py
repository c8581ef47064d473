"""The figures of the API's own dashboard, after traffic whose counts are known."""

from tests.support.json_content import Json
from tests.support.serving import HOUSE, Api, golden


def figures(api: Api) -> Json:
    answer: Json = api.get("/dashboard/figures")
    return answer


def totals(api: Api) -> dict[str, float]:
    """Return the sum of each figure over the hour."""
    hour = figures(api)["hour"]
    return {key: sum(minutes) for key, minutes in hour.items()}


def send_known_traffic(api: Api) -> str:
    """Send nine predictions and two wrong requests; return the class of the flower."""
    for _ in range(3):
        api.post("/predict", HOUSE)
    api.post("/predict/housing", [HOUSE] * 4)
    answer = api.post("/predict/iris", [golden("iris")] * 2)
    flower: str = answer["predictions"][0]["prediction"]
    api.post("/predict", {"MedInc": "much"}, 422)
    api.client.get("/nothing")
    return flower
