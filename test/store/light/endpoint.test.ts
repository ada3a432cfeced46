import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { placeOf } from "../../../src/store/light/endpoint.ts";

describe("the endpoint of a region", () => {
  const { endpointProvider } = new DynamoDBClient({ region: "eu-central-1" }).config;
  const regions = ["us-east-1", "eu-central-1", "ap-southeast-7", "mx-central-1", "us-gov-east-1", "us-gov-west-1"];
  const others = [
    "cn-north-1",
    "cn-northwest-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "us-isof-south-1",
    "eu-isoe-west-1",
  ];

  it.each([...regions, ...others, "eusc-de-east-1"])("is the SDK's, for %s with and without FIPS", (region) => {
    for (const fips of [false, true]) {
      const { url } = endpointProvider({ Region: region, UseFIPS: fips, UseDualStack: false });
      const place = placeOf(region, { endpoint: undefined, fips });
      expect(`${place.protocol}//${place.host}${place.path}`).toBe(url.href);
      expect(place).toMatchObject({ hostname: url.hostname, servername: url.hostname, port: "", region });
    }
  });

  it.each([
    [
      "http://localhost:8000",
      { protocol: "http:", hostname: "localhost", servername: "localhost", port: "8000", path: "/" },
    ],
    [
      "https://10.0.0.1/dynamodb/",
      { protocol: "https:", hostname: "10.0.0.1", servername: "", port: "", path: "/dynamodb/" },
    ],
    ["http://[::1]:8000", { hostname: "::1", servername: "", host: "[::1]:8000" }],
  ])("is %s, where it is given", (endpoint, place) => {
    expect(placeOf("local", { endpoint: new URL(endpoint), fips: false })).toMatchObject(place);
  });
});
