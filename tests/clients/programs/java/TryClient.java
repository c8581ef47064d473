import static com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlops.ApiClient;
import mlops.ApiException;
import mlops.api.ExplainApi;
import mlops.api.ExplainApi.APIExplainHousingRequest;
import mlops.api.ModelsApi;
import mlops.api.OpenInferenceProtocolApi;
import mlops.api.PredictApi;
import mlops.api.PredictApi.APIPredictHousingRequest;
import mlops.api.PredictApi.APIPredictRequest;
import mlops.model.ModelSummary;
import mlops.model.Fault;
import mlops.model.HousingExplainRequest;
import mlops.model.HousingPredictAnswer;
import mlops.model.HousingPredictRequest;
import mlops.model.HousingPredictions;
import mlops.model.HousingRecord;
import mlops.model.HousingRecords;
import mlops.model.HousingTable;
import mlops.model.InferenceRequest;
import mlops.model.InferenceResponse;
import mlops.model.InputTensor;
import mlops.model.IrisPrediction;
import mlops.model.IrisRecord;
import mlops.model.PredictRequest;
import mlops.model.Problem;

/** Asks the API with a client in Java, and prints what came back as JSON. */
class TryClient {
    private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();
    private final ApiClient client = new ApiClient();
    private final PredictApi predict;
    private final JsonNode golden;
    private final HousingRecord house;

    TryClient(String url, String golden) throws Exception {
        client.updateBaseUri(url);
        // Else an answer would be taken for the first of its alternatives, whatever it holds.
        client.setObjectMapper(JSON.copy().enable(FAIL_ON_UNKNOWN_PROPERTIES));
        this.predict = new PredictApi(client);
        this.golden = JSON.readTree(golden);
        this.house = JSON.treeToValue(this.golden.get("house"), HousingRecord.class);
    }

    public static void main(String[] arguments) throws Exception {
        TryClient tried = new TryClient(arguments[0], arguments[1]);
        Map<String, Object> seen = new LinkedHashMap<>();
        tried.predict(seen);
        tried.explain(seen);
        tried.readModels(seen);
        tried.beRefused(seen);
        System.out.println(JSON.writeValueAsString(seen));
    }

    private void predict(Map<String, Object> seen) throws Exception {
        var one = predictHousing(new HousingPredictRequest(house));
        seen.put("one", one.getHousingPrediction().getPrediction());
        HousingRecords records = new HousingRecords();
        records.addAll(List.of(house, house));
        var several = predictHousing(new HousingPredictRequest(records));
        seen.put("several", values(several.getHousingPredictions()));
        List<Double> row = new ArrayList<>();
        golden.get("house").forEach(value -> row.add(value.doubleValue()));
        HousingTable houses = new HousingTable().addFeaturesItem(row);
        var table = predictHousing(new HousingPredictRequest(houses));
        seen.put("table", values(table.getHousingPredictions()));

        IrisRecord iris = JSON.treeToValue(golden.get("iris"), IrisRecord.class);
        var anyTask = predict.predict(
            APIPredictRequest.newBuilder().predictRequest(new PredictRequest(iris)).build());
        seen.put("flower", ((IrisPrediction) anyTask.getActualInstance()).getPrediction());
    }

    private HousingPredictAnswer predictHousing(HousingPredictRequest body) throws ApiException {
        return predict.predictHousing(
            APIPredictHousingRequest.newBuilder().housingPredictRequest(body).build());
    }

    private static List<Double> values(HousingPredictions found) {
        return found.getPredictions().stream().map(row -> row.getPrediction()).toList();
    }

    private void explain(Map<String, Object> seen) throws Exception {
        var explained = new ExplainApi(client).explainHousing(APIExplainHousingRequest.newBuilder()
            .housingExplainRequest(new HousingExplainRequest(house)).build());
        seen.put("explained", explained.getExplanation().getValues());
    }

    private void readModels(Map<String, Object> seen) throws Exception {
        ModelsApi api = new ModelsApi(client);
        Map<String, Long> versions = new LinkedHashMap<>();
        for (Map.Entry<String, ModelSummary> entry : api.listModels().entrySet()) {
            versions.put(entry.getKey(), entry.getValue().getVersion());
        }
        seen.put("models", versions);
        var features = api.getModel("housing").getFeatures();
        seen.put("features", features.stream().map(feature -> feature.getName()).toList());

        InferenceRequest request = new InferenceRequest();
        golden.get("iris").fields().forEachRemaining(field -> request.addInputsItem(
            new InputTensor().name(field.getKey()).datatype("FP32").shape(List.of(1L, 1L))
                .data(List.of(field.getValue().doubleValue()))));
        InferenceResponse inferred = new OpenInferenceProtocolApi(client)
            .inferWithVersion("iris", versions.get("iris").toString(), request);
        seen.put("inferred", inferred.getOutputs().stream().map(output -> output.getName()).toList());
    }

    private void beRefused(Map<String, Object> seen) throws Exception {
        HousingRecord wrong = JSON.treeToValue(golden.get("house"), HousingRecord.class);
        wrong.setMedInc(-1.0);
        try {
            predictHousing(new HousingPredictRequest(wrong));
            throw new AssertionError("a negative income was taken");
        } catch (ApiException refused) {
            Problem problem = JSON.readValue(refused.getResponseBody(), Problem.class);
            List<String> places = problem.getErrors().stream().map(Fault::getPointer).toList();
            seen.put("refused", List.of(refused.getCode(), places));
        }
    }
}
