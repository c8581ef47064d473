// Compares resources of Argo CD and Flux, a list as JSON in the input, with their schemas. It runs by `node -e` in the
// folder with the packages of package.json, and throws at the first fault.
import { readFileSync } from "node:fs";

const PACKAGES = {
  "argoproj.io": "@kubernetes-models/argo-cd",
  "kustomize.toolkit.fluxcd.io": "@kubernetes-models/flux-cd",
  "source.toolkit.fluxcd.io": "@kubernetes-models/flux-cd",
};
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  const [group] = resource.apiVersion.split("/");
  const models = await import(`${PACKAGES[group]}/${resource.apiVersion}`);
  new models[resource.kind](resource).validate();
}
