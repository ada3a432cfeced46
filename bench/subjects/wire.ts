import { bareHttps, requestsBy } from "./https.ts";
import { serve } from "./serve.ts";

serve(requestsBy(() => bareHttps()));
