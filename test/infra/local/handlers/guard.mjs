/** A TOKEN authorizer; the token says what it is to answer. */
export async function handler({ authorizationToken, methodArn }) {
  console.log(`asked about ${authorizationToken}`);
  const statement = (Effect, Resource) => ({ Effect, Action: "execute-api:Invoke", Resource });
  const policy = (...Statement) => ({ principalId: "ann", policyDocument: { Version: "2012-10-17", Statement } });
  const everything = `${methodArn.split("/").slice(0, 2).join("/")}/*`;
  switch (authorizationToken) {
    case "let-in":
      return { ...policy(statement("Allow", everything)), context: { tenant: "shop", level: 3 } };
    case "keep-out":
      return policy(statement("Allow", everything), statement("Deny", methodArn));
    case "this-one":
      return policy(statement("Allow", methodArn));
    case "nonsense":
      return { principalId: "ann" };
    case "fall-over":
      throw new Error("the authorizer fell over");
    default:
      throw new Error("Unauthorized");
  }
}
