// The shapes of the API, as package studio declares them; see its comment for the routes.

/** Access says what the page may do, before anything else. */
export interface Access {
  name: string; // of the application: that of its folder
  version: string; // of Sluice
  open: boolean; // this caller needs no session, or has a good one
  signIn: string; // path of the flow that takes {email, password} and answers with session.token; "" without one
  group: string; // that a session must have; "" where none is asked for
  user: string; // id of the caller's user; "" for nobody
  readOnly: boolean; // nothing can be changed or run
  mode: string; // development or production
}

/** App is the application as a whole. */
export interface App {
  name: string;
  version: string;
  mode: string; // development or production
  readOnly: boolean;
  dir: string; // folder of the flows; "" for those that come with Sluice, which cannot be changed
  folders: string[]; // all of them, as in auth and auth/second-factor, without the root
  flows: FlowEntry[]; // in the order of their files
  others: string[]; // errors.yaml, types.yaml and *.test.yaml that there are
  nodes: NodeInfo[]; // by name
  errors: ErrorInfo[]; // of errors.yaml
  types: TypeInfo[]; // that flows can use by name
  groups: string[]; // access groups that flows name
  vars: string[]; // environment variables that flows can read
  problems: Problem[];
  served: boolean; // the files are served as they are; false where a mistake keeps the last good version
  verbs: VerbInfo[];
  headerKeys: string[]; // of an endpoint's flow, in the order in which flows have them
  typeWords: string[];
  formats: string[];
  mail: boolean; // there is a mailbox for development
  auditKinds: string[]; // of the events of the audit log
}

/** A FlowEntry is a flow in the tree. */
export interface FlowEntry {
  file: string;
  name: string; // POST /auth/sign-in, or account.welcome of a node
  about: string;
  triggers: Trigger[]; // none for a node
  session: string; // required, optional or none; "" for a node
  groups: string[];
  apiKey: string;
  tags: string[];
  enabled: boolean;
  served: boolean;
  problems: number;
  warnings: number;
  tests: boolean; // there is a file of tests beside it
}

/** A Trigger is what starts a flow. */
export interface Trigger {
  kind: string; // endpoint
  method: string;
  path: string;
}

/** A NodeInfo is what a node takes and gives. */
export interface NodeInfo {
  name: string;
  family: string; // user of user.fetch
  doc: string;
  file: string; // of a node that is a flow; "" otherwise
  inputs: Field[];
  outputs: Field[];
  outcomes: OutcomeInfo[];
  alternatives: string[][]; // groups of inputs of which exactly one is given
  reads: string[];
  writes: string[];
  calls: string[];
  example: string; // a step, in YAML
}

/** A Field is a parameter, a result or a property. */
export interface Field {
  name: string;
  doc: string;
  type: string; // in a few words, as in string (email), secret
  base: string; // any, string, boolean, integer, number, object or array
  named: string; // its name, as in User; "" for none
  format: string;
  enum: string[];
  min: number | null;
  max: number | null;
  pattern: string;
  required: boolean;
  default: string | null; // as text
  secret: boolean; // never shown
  proof: boolean; // only values of this very type fit, as a proven user id
  hint: string; // where a value of such a type comes from
  fields: Field[]; // of an object, or of the items of a list
  open: boolean; // an object of any properties
  items: Field | null; // of a list
  deprecated: boolean;
  examples: unknown[];
}

/** An OutcomeInfo is a way out of a node that is not success. */
export interface OutcomeInfo {
  name: string;
  kind: string; // notFound, invalid ...
  status: number; // of the answer where no on: routes it
  doc: string;
}

/** An ErrorInfo is an error that flows can fail with. */
export interface ErrorInfo {
  code: string;
  status: number;
  message: string;
}

/** A TypeInfo is a type that flows can use by name. */
export interface TypeInfo extends Field {
  name: string;
  collection: boolean; // documents of it are kept
}

/** A VerbInfo is what a step can do. */
export interface VerbInfo {
  verb: string;
  doc: string;
  keys: string[]; // of its steps, the verb first
}

/** A Problem is a mistake, or with warning what works and is better done otherwise. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  to: number; // column behind what is marked, on the same line
  message: string;
  hint: string; // what to do about it, or ""
  warning: boolean;
  place: string; // of the step that it is in; "" for the flow itself
  field: string; // below the step, as in with/email; "" for the step as a whole
}

/** Reload tells that the files were loaded again. */
export interface Reload {
  flows: number; // that are served
  problems: Problem[];
}

/** A Draft is a text that is not saved. */
export interface Draft {
  file: string;
  text: string;
}

/** A Sheet is everything that is known of one text. */
export interface Sheet {
  file: string;
  text: string;
  revision: string; // of the file on the disk; "" where there is none
  kind: string; // endpoint, node, errors, types, test or none (no YAML, or another file)
  readable: boolean; // it is YAML; without that there are no steps and no drawing
  problems: Problem[]; // of this text, and of others where it is to blame
  header: Header | null; // null where the file is no flow
  steps: Step[];
  drawing: Drawing | null; // null without steps
}

/** A Header is what stands above the steps, as far as it could be read. */
export interface Header {
  about: string;
  triggers: Trigger[];
  node: string; // name of a node flow; "" for an endpoint
  session: string;
  groups: string[];
  apiKey: string;
  limit: string; // in words, as in 20/min per ip, $body.email
  timeout: string; // as in 30s
  tags: string[];
  enabled: boolean;
  answer: string; // json or events
  input: Record<string, Part>; // path, query, headers, body, and params of a node; only those that there are
  output: Field | null;
  outcomes: OutcomeInfo[]; // of a node flow
  fails: ErrorInfo[]; // what it can answer beside its responds
  places: Record<string, Span>; // of the keys that are written
}

/** A Part is what a flow takes from one part of a request. */
export interface Part extends Omit<Field, "required"> {
  sample: unknown; // made up: a value that a request could hold
  required: unknown; // the same with only what is required
}

/** A Span is where something stands: from line and column up to, not including, another. */
export interface Span {
  line: number;
  column: number;
  toLine: number;
  toColumn: number;
}

/** A Step is one step of the text. */
export interface Step {
  place: string; // as in steps/2/then/0
  verb: string;
  id: string; // "" without one
  node: string; // of the verb node, also of one that is not known
  known: boolean; // the node is in the catalogue
  word: string; // what stands behind the verb, in short: condition, list, code, event
  status: number; // of respond
  when: string | null; // condition of when:, null without one
  names: string[]; // that a let gives
  span: Span;
  values: Value[]; // what is written behind each key, but for those that hold steps
  outcomes: RouteInfo[]; // of a node, in its order
  branches: BranchInfo[]; // that hold steps or could: in the order of the text
  scope: ScopeName[]; // what references can begin with in front of the step
  inputs: Field[]; // parameters of the node as they are in this step: a data.create has those of its collection
  outputs: Field[];
}

/** A Value is something written in a step. */
export interface Value {
  place: string; // as in steps/2/with/email
  key: string; // below the step, as in with/email
  text: string; // as it stands in the file, with its quotes
  plain: unknown; // as data: a text, number, boolean, null; lists and objects of these
  kind: string; // literal, reference, expression, text (with references in it), list or object
  span: Span;
  keySpan: Span; // of the key itself
  type: string | null; // of a reference that is known, in a few words; else null
}

/** A RouteInfo is an outcome of a step's node, and where it leads. */
export interface RouteInfo {
  name: string;
  kind: string;
  status: number;
  doc: string;
  to: string; // continue, block, or "" where the flow ends
  place: string; // as in steps/1/on/notFound
}

/** A BranchInfo is a block inside a step. */
export interface BranchInfo {
  place: string; // of the list, as in steps/1/on/notFound or steps/3/then; append /0 for its first step
  role: string; // on, then, else, case, do, lane, try, catch, finally or undo
  name: string; // of the outcome, the case, the lane or the code
  goOn: boolean; // on: continue
  count: number; // of its steps
  there: boolean; // false for one that could be added, as an else
}

/** A ScopeName is what references can begin with. */
export interface ScopeName {
  name: string; // without the dollar sign
  type: string;
  optional: boolean; // may be absent
  place: string; // of the step that sets it; "" for what the flow takes
}

/** A Drawing is the flow laid out top to bottom, in pixels. Edges never cross boxes. */
export interface Drawing {
  width: number;
  height: number;
  boxes: Box[];
  edges: EdgeRow[];
  slots: Slot[]; // where a step can be put
}

/** A Box is something drawn. Its id is unique in the drawing, and stays the same as long as its place does. */
export interface Box {
  id: string; // start, its place, PLACE#when, PLACE#OUTCOME for the end of an outcome that nobody routes, PLACE#frame
  place: string; // of its step; "" for start
  kind: string; // start, node, let, send, choice (if, switch, when), fork (parallel), frame (each, try, finally), answer, end (of an unrouted outcome)
  verb: string;
  x: number;
  y: number;
  w: number;
  h: number;
  title: string;
  subtitle: string;
  family: string; // of a node: user, password ...; the icon
  colour: number; // 0 to 7 by the family, 8 for what is no node
  status: number; // of answers and ends; 0 where it is not known
  class: string; // of answers and ends: good, refused, broken or other
  outcome: string; // of an end
}

/** An EdgeRow is a line between boxes, with its corners. */
export interface EdgeRow {
  id: string;
  from: string; // id of the box that it leaves
  to: string; // id of the box that it leads to; "" where it leaves a frame or the drawing
  way: string; // out of its step: ok, an outcome, then, else, a case, a lane, do, a code that is caught, undo, next
  label: string;
  kind: string; // flow, route, back (comes back to the spine), thick (a lane), undo, end (an unrouted outcome), goOn (on: continue)
  points: [number, number][]; // two at least; every part is level or upright
  arrow: boolean;
  mark: [number, number] | null; // the base line of the label: its left, or with centred its middle
  centred: boolean;
}

/** A Slot is a place between steps, where one can be dropped. */
export interface Slot {
  place: string; // that the new step gets, as in steps/2
  x: number;
  y: number;
  empty: boolean; // of a block without steps
}

/** Gestures change a text. Each sees the text that those before it made. */
export interface Gestures {
  file: string;
  text: string;
  edits: Gesture[];
}

/** A change of the text; package studio says what each does. */
export interface Gesture {
  do: string;
  at: string;
  to?: string;
  value?: unknown; // JSON; a text such as $body.email is a reference as in YAML
  node?: string;
  verb?: string;
  yaml?: string;
  outcome?: string;
  code?: string;
}

/** Edited is the sheet of the text that gestures made. */
export interface Edited extends Sheet {
  at: string; // place of what the last gesture made or moved; "" where it removed
}

/** A Question asks what could stand at a place. It is one of a field of a step, for forms, and a line and column, for the editor of the text. */
export interface Question {
  file: string;
  text: string;
  place: string; // as in steps/2/with/email, whether it is there or not
  line: number;
  column: number; // in front of which the cursor is
}

/** Offers are what could stand at a place, the best first. */
export interface Offers {
  offers: Offer[];
}

/** An Offer is a text that could stand there. */
export interface Offer {
  label: string;
  text: string; // what is written
  from: number; // column from which it stands in place of what is there, up to the cursor; 0 for a field
  kind: string; // reference, value, node, key, code, type, word
  detail: string; // its type, in a few words
  doc: string;
  fits: boolean; // of a field: its type is the one wanted; others come behind
}

/** A Run asks to run a flow. */
export interface Run {
  file: string;
  text: string | null; // null for the one that is served
  input: Input;
  session: Caller | null; // null for none
  apiKey: boolean; // a key that is good for this run goes along
  fakes: Record<string, Canned>; // by place of the step: what it does in place of its node
  upTo: string; // place of the last step to run; "" for all
  from: string; // place of the first step whose node runs: those before it do what they did in the run Again
  again: string; // id of the run whose outputs are used; "" for none
  alone: boolean; // the run stops behind from
}

/** Input is what the request holds. */
export interface Input {
  path: Record<string, string>;
  query: Record<string, string[]>;
  headers: Record<string, string>;
  body: unknown; // null for none
}

/** A Caller is whose session the run has: one of these. */
export interface Caller {
  token: string; // of a session that there is
  user: string; // id or e-mail address of a user, for whom a session is opened and ended behind the run
  made: boolean; // of nobody that there is: a made-up user id
  groups: string[];
}

/** Canned is what a step does in place of its node: one of these. */
export interface Canned {
  out: unknown; // its output, or some of its properties; the others are made up
  outcome: string; // the way by which it leaves
  error: string; // something broken
}

/** Ran is how a run went. */
export interface Ran {
  id: string; // to run again from one of its steps, while the server remembers it
  problems: Problem[]; // where the text does not compile; nothing ran then
  trace: Trace | null; // null where nothing ran
}

/** A Trace is what happened in one call, with secrets masked. */
export interface Trace {
  id: string;
  file: string;
  name: string;
  time: string; // RFC 3339
  took: number; // milliseconds
  request: RequestInfo | null;
  answer: AnswerInfo | null; // null where the run stopped before
  stopped: string; // place at which it was told to stop
  steps: TraceStep[]; // in the order in which they began
  events: EventInfo[]; // that the flow sent
  cut: boolean; // there were more steps than are kept
}

/** A RequestInfo is what came in. */
export interface RequestInfo {
  method: string;
  path: string; // as called; of a live call the pattern
  input: unknown;
  user: string; // id of the session's user; "" for none
}

/** An AnswerInfo is what came out. */
export interface AnswerInfo {
  status: number;
  code: string; // of the first error; "" for none
  headers: [string, string][];
  body: unknown; // JSON; a JSON text where the answer is something else
  type: string; // media type, "" for JSON
  cause: string;
  place: string; // of the step that answered or failed
}

/** A TraceStep is one time that the run came to a step. */
export interface TraceStep {
  place: string; // of the flow, or of the node flow that File names
  file: string;
  verb: string;
  step: string; // id, or node or verb
  nth: number; // how often the run had come here before: rounds, attempts
  depth: number; // of node flows
  way: string; // that it left by: ok, an outcome, then, else, a case ...; "" where it has but one
  in: unknown; // parameters of a node
  out: unknown; // what it gave; null where it left by an outcome
  start: number; // milliseconds from the start of the run
  took: number; // milliseconds; 0 of what has no node
  faked: string; // "" for real, fake, or recorded
  error: string; // why, where it broke
}

/** An EventInfo is an event that was sent. */
export interface EventInfo {
  name: string;
  id: string;
  data: unknown;
}

/** LiveState is the first event of live. */
export interface LiveState {
  calls: LiveCall[]; // the last ones, newest first
  stats: FlowStats[];
  every: number; // one call of so many has a trace
}

/** A LiveCall is a call of an endpoint. */
export interface LiveCall {
  id: string; // for trace?id=
  traced: boolean; // there is a trace of it
  file: string;
  method: string;
  path: string; // the pattern
  time: string;
  took: number; // milliseconds
  status: number;
  code: string;
}

/** FlowStats are counts of one flow since the server began or was asked last, whichever is later than a quarter of an hour ago. */
export interface FlowStats {
  file: string;
  calls: number;
  fails: number; // answered with 400 or more
  broke: number; // of these, with 500 or more
  p50: number; // milliseconds
  p99: number;
  steps: StepStats[]; // of the calls that have a trace
}

/** StepStats are counts of one step. */
export interface StepStats {
  place: string;
  runs: number;
  p50: number;
  p99: number;
  ways: Record<string, number>; // how often each was taken
}

/** Save writes a text to its file. */
export interface Save {
  file: string;
  text: string;
  revision: string; // that the text began from; "" for a file that must not be there yet
}

/** Removal removes a file. */
export interface Removal {
  file: string;
  revision: string;
}

/** Renaming moves a file and its tests. */
export interface Renaming {
  file: string;
  to: string;
  revision: string;
}

/** Saved is what a file is afterwards. */
export interface Saved {
  file: string;
  revision: string; // "" where it is gone
  problems: Problem[]; // of the whole app: with any but warnings the last good version is served on
  served: boolean;
}

/** Theirs are the details of changed_on_disk: what is there now. */
export interface Theirs {
  file: string;
  text: string; // "" where the file is gone
  revision: string; // "" where the file is gone
  base: string; // text of the revision that was sent, where the server still knows it; else ""
}

/** Keep asks to write a run down as a test beside the flow. */
export interface Keep {
  run: string; // id
  name: string; // what the endpoint promises
  fake: boolean; // steps that work on a store do what they did, in place of their nodes
}

/** Kept is the test that was written. */
export interface Kept {
  file: string; // NAME.test.yaml
  test: string; // the text of the test
  text: string; // of the whole file
  written: boolean; // it passes, and stands in the file
  result: TestResult; // of running it
}

/** A TestRun asks to run the tests of flows. */
export interface TestRun {
  file: string; // of a flow, for its tests only; "" for all
  name: string; // of one test; "" for all
}

/** A TestReport is what came of running tests. */
export interface TestReport {
  passed: number;
  failed: number;
  ways: number;
  covered: number;
  took: number; // milliseconds
  files: TestFile[];
  flows: FlowCovered[];
}

/** A TestFile is what came of one file of tests. */
export interface TestFile {
  file: string; // of the tests
  flow: string; // that they test
  took: number;
  tests: TestResult[];
}

/** A TestResult is what came of one test. */
export interface TestResult {
  name: string;
  line: number;
  took: number;
  fails: TestFail[]; // none where it passed
}

/** A TestFail is an expectation that was not met. */
export interface TestFail {
  line: number;
  column: number;
  what: string;
}

/** FlowCovered tells which ways of a flow tests took. */
export interface FlowCovered {
  file: string;
  ways: number;
  covered: number;
  steps: WayCovered[];
}

/** A WayCovered is a way out of a step. */
export interface WayCovered {
  place: string;
  way: string;
  times: number;
}

