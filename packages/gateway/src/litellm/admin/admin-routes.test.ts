import { litellmRoutesContract } from "../../testing/litellm-routes-contract.ts";
import { litellmStageAlone } from "../../testing/litellm-stage-alone.ts";

litellmRoutesContract("the program that runs alone", litellmStageAlone);
