// Asks the API with a client in TypeScript, and prints what came back as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type House = components["schemas"]["HousingRecord"];
declare const process: { argv: string[] };

const [, , baseUrl, golden] = process.argv as [string, string, string, string];
const { house, iris } = JSON.parse(golden) as {
  house: House;
  iris: components["schemas"]["IrisRecord"];
};
const client = createClient<paths>({ baseUrl });

/** Return what was answered, or end with what was refused. */
async function answered<T>(asked: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await asked;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const one = await answered(client.POST("/predict/housing", { body: house }));
const several = await answered(client.POST("/predict/housing", { body: [house, house] }));
const row = [
  ...[house.MedInc, house.HouseAge, house.AveRooms, house.AveBedrms],
  ...[house.Population, house.AveOccup, house.Latitude, house.Longitude],
] as components["schemas"]["HousingTable"]["features"][number];
const table = await answered(client.POST("/predict/housing", { body: { features: [row] } }));
if (!("prediction" in one)) throw new Error("several predictions of one record");
if (!("predictions" in several && "predictions" in table)) throw new Error("one of several");

const anyTask = await answered(client.POST("/predict", { body: iris }));
if (anyTask.task !== "iris" || !("confidence" in anyTask)) throw new Error("not of iris");
const flower: string = anyTask.prediction; // the task decides the type

const explained = await answered(client.POST("/explain/housing", { body: house }));
if (!("values" in explained)) throw new Error("several explanations of one record");
const models = await answered(client.GET("/models"));
const model = await answered(
  client.GET("/models/{task}", { params: { path: { task: "housing" } } }),
);
const inputs = Object.entries(iris).map(([name, value]) => ({
  name,
  shape: [1, 1],
  datatype: "FP32",
  data: [value],
}));
const inferred = await answered(
  client.POST("/v2/models/{name}/versions/{version}/infer", {
    params: { path: { name: "iris", version: String(models["iris"]?.version) } },
    body: { inputs },
  }),
);

const wrong = { ...house, MedInc: -1 };
const refused = await client.POST("/predict/housing", { body: wrong });
if (!refused.error) throw new Error("a negative income was taken");
const problem: components["schemas"]["Problem"] = refused.error;

const seen = {
  one: one.prediction,
  several: several.predictions.map((found) => found.prediction),
  table: table.predictions.map((found) => found.prediction),
  flower,
  explained: explained.values,
  models: Object.fromEntries(Object.entries(models).map(([task, card]) => [task, card.version])),
  features: model.features.map((feature) => feature.name),
  inferred: inferred.outputs.map((output) => output.name),
  refused: [refused.response.status, problem.errors.map((fault) => fault.pointer)],
};
console.log(JSON.stringify(seen));
