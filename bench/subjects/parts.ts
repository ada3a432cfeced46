import { partsAlone } from "./parts-alone.ts";
import { tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

serve((scenario) => partsAlone(tableOf("ours", scenario), scenario.path === "first"));
