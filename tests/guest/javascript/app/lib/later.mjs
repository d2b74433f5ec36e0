import {answer} from "./answer.mjs";
import data from "./data.json" with {type: "json"};
import dep, {version} from "dep";

await new Promise((done) => setTimeout(done, 5));
export default answer + data.answer;
export const same = dep.version === version;
