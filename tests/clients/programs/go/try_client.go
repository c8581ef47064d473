// Asks the API with a client in Go, and prints what came back as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"

	"try/mlops"
)

type records struct {
	House mlops.HousingRecord `json:"house"`
	Iris  mlops.IrisRecord    `json:"iris"`
}

// answered returns what was answered, or ends the program with what went wrong.
func answered[T any](answer T, _ *http.Response, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return answer
}

func main() {
	var golden records
	if err := json.Unmarshal([]byte(os.Args[2]), &golden); err != nil {
		log.Fatal(err)
	}
	configuration := mlops.NewConfiguration()
	configuration.Servers = mlops.ServerConfigurations{{URL: os.Args[1]}}
	client := mlops.NewAPIClient(configuration)
	seen := map[string]any{}
	predict(client, golden, seen)
	readModels(client, golden.Iris, seen)
	beRefused(client, golden.House, seen)
	printed, err := json.Marshal(seen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(printed))
}

func predict(client *mlops.APIClient, golden records, seen map[string]any) {
	ctx, house := context.Background(), golden.House
	ask := func(request mlops.HousingPredictRequest) *mlops.HousingPredictAnswer {
		asked := client.PredictAPI.PredictHousing(ctx).HousingPredictRequest(request)
		return answered(asked.Execute())
	}
	seen["one"] = ask(mlops.HousingPredictRequest{HousingRecord: &house}).HousingPrediction.Prediction
	houses := []mlops.HousingRecord{house, house}
	several := ask(mlops.HousingPredictRequest{ArrayOfHousingRecord: &houses})
	seen["several"] = values(several.HousingPredictions)
	row := []float64{house.MedInc, house.HouseAge, house.AveRooms, house.AveBedrms}
	row = append(row, house.Population, house.AveOccup, house.Latitude, house.Longitude)
	table := mlops.HousingTable{Features: [][]float64{row}}
	seen["table"] = values(ask(mlops.HousingPredictRequest{HousingTable: &table}).HousingPredictions)

	flower := mlops.IrisPredictRequest{IrisRecord: &golden.Iris}
	named := answered(client.PredictAPI.PredictIris(ctx).IrisPredictRequest(flower).Execute())
	seen["flower"] = named.IrisPrediction.Prediction

	question := mlops.HousingExplainRequest{HousingRecord: &house}
	explained := client.ExplainAPI.ExplainHousing(ctx).HousingExplainRequest(question)
	seen["explained"] = answered(explained.Execute()).Explanation.Values
}

func values(found *mlops.HousingPredictions) []float64 {
	var predicted []float64
	for _, row := range found.Predictions {
		predicted = append(predicted, row.Prediction)
	}
	return predicted
}

func readModels(client *mlops.APIClient, iris mlops.IrisRecord, seen map[string]any) {
	ctx := context.Background()
	versions := map[string]int64{}
	for task, model := range *answered(client.ModelsAPI.ListModels(ctx).Execute()) {
		versions[task] = model.Version
	}
	seen["models"] = versions
	var features, outputs []string
	for _, feature := range answered(client.ModelsAPI.GetModel(ctx, "housing").Execute()).Features {
		features = append(features, feature.Name)
	}
	seen["features"] = features

	fields, err := iris.ToMap()
	if err != nil {
		log.Fatal(err)
	}
	var inputs []mlops.InputTensor
	for name, value := range fields {
		tensor := mlops.InputTensor{Name: name, Datatype: "FP32", Shape: []int64{1, 1}}
		tensor.Data = []interface{}{value}
		inputs = append(inputs, tensor)
	}
	version := strconv.FormatInt(versions["iris"], 10)
	asked := client.OpenInferenceProtocolAPI.InferWithVersion(ctx, "iris", version)
	request := mlops.InferenceRequest{Inputs: inputs}
	for _, output := range answered(asked.InferenceRequest(request).Execute()).Outputs {
		outputs = append(outputs, output.Name)
	}
	seen["inferred"] = outputs
}

func beRefused(client *mlops.APIClient, house mlops.HousingRecord, seen map[string]any) {
	house.MedInc = -1
	asked := client.PredictAPI.PredictHousing(context.Background())
	request := mlops.HousingPredictRequest{HousingRecord: &house}
	_, answer, err := asked.HousingPredictRequest(request).Execute()
	refused, isRefused := err.(*mlops.GenericOpenAPIError)
	if !isRefused {
		log.Fatal("a negative income was taken: ", err)
	}
	problem := refused.Model().(mlops.Problem)
	var places []string
	for _, fault := range problem.Errors {
		places = append(places, fault.GetPointer())
	}
	seen["refused"] = []any{answer.StatusCode, places}
}
