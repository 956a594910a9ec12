// The page's beginning. Law of this file: it joins the parts and does nothing itself.

import * as access from "./access.js";
import * as actions from "./actions.js";
import * as detail from "./detail.js";
import { astray } from "./dom.js";
import * as feed from "./feed.js";
import * as findings from "./findings.js";
import * as follow from "./follow.js";
import * as header from "./header.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as signin from "./signin.js";
import * as theme from "./theme.js";
import * as tree from "./tree.js";

/** From anywhere on the page to one process: in the tree, if it is there still, and in detail. */
function open(process) {
  tree.goTo(process.id);
  detail.show(process);
  if (astray()) detail.focus(); // it was on a finding, which the detail stands in the place of
}

access.begin();
theme.begin();
signin.begin();
header.begin();
actions.begin();
tree.begin(detail.show);
detail.begin(tree.mark);
findings.begin(open);
feed.begin(open);
keys.begin();
live.begin(follow.restart);
follow.begin();
