/** Where requests go, and for which region they are signed. */
export interface Place {
  readonly protocol: string;
  readonly hostname: string;
  /** For TLS; empty where the host is an address. Else Node would look at the host anew for each request. */
  readonly servername: string;
  /** Empty: the protocol's own. */
  readonly port: string;
  /** As in the header: with the port where it is not the protocol's own. */
  readonly host: string;
  readonly path: string;
  readonly region: string;
}

/** By the beginning of the region's name; what is not here is `amazonaws.com`. */
const DOMAINS = [
  ["cn-", "amazonaws.com.cn"],
  ["us-iso-", "c2s.ic.gov"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["us-isof-", "csp.hci.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk"],
  ["eusc-", "amazonaws.eu"],
] as const;

/** DynamoDB in a region, or at an endpoint of the user's own. */
export function placeOf(region: string, { endpoint, fips }: { endpoint: URL | undefined; fips: boolean }): Place {
  const { protocol, hostname, port, host, pathname } = endpoint ?? new URL(originOf(region, fips));
  // A URL writes an IPv6 address in brackets; a socket wants it without.
  const bare = hostname.replace(/^\[|\]$/g, "");
  return {
    protocol,
    hostname: bare,
    servername: /^[\d.]+$|:/.test(bare) ? "" : bare,
    port,
    host,
    // As the SDK writes it.
    path: pathname.endsWith("/") ? pathname : `${pathname}/`,
    region,
  };
}

function originOf(region: string, fips: boolean): string {
  // By this name AWS's rules know DynamoDB Local.
  if (region === "local") return "http://localhost:8000";
  const domain = DOMAINS.find(([start]) => region.startsWith(start))?.[1] ?? "amazonaws.com";
  // In GovCloud the ordinary endpoints are the validated ones.
  return `https://dynamodb${fips && !region.startsWith("us-gov-") ? "-fips" : ""}.${region}.${domain}`;
}
