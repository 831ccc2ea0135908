package studio

// Keep asks to write a run down as a test beside the flow.
type Keep struct {
	Run  string `json:"run"`  // id
	Name string `json:"name"` // what the endpoint promises
	Fake bool   `json:"fake"` // steps that work on a store do what they did, in place of their nodes
}

// Kept is the test that was written.
type Kept struct {
	File   string     `json:"file"`   // NAME.test.yaml
	Test   string     `json:"test"`   // the text of the test
	Text   string     `json:"text"`   // of the whole file
	Result TestResult `json:"result"` // of running it
}

// A TestRun asks to run the tests of flows.
type TestRun struct {
	File string `json:"file"` // of a flow, for its tests only; "" for all
	Name string `json:"name"` // of one test; "" for all
}

// A TestReport is what came of running tests.
type TestReport struct {
	Passed  int           `json:"passed"`
	Failed  int           `json:"failed"`
	Ways    int           `json:"ways"`
	Covered int           `json:"covered"`
	Took    float64       `json:"took"` // milliseconds
	Files   []TestFile    `json:"files"`
	Flows   []FlowCovered `json:"flows"`
}

// A TestFile is what came of one file of tests.
type TestFile struct {
	File  string       `json:"file"` // of the tests
	Flow  string       `json:"flow"` // that they test
	Took  float64      `json:"took"`
	Tests []TestResult `json:"tests"`
}

// A TestResult is what came of one test.
type TestResult struct {
	Name  string     `json:"name"`
	Line  int        `json:"line"`
	Took  float64    `json:"took"`
	Fails []TestFail `json:"fails"` // none where it passed
}

// A TestFail is an expectation that was not met.
type TestFail struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
}

// FlowCovered tells which ways of a flow tests took.
type FlowCovered struct {
	File    string       `json:"file"`
	Ways    int          `json:"ways"`
	Covered int          `json:"covered"`
	Steps   []WayCovered `json:"steps"`
}

// A WayCovered is a way out of a step.
type WayCovered struct {
	Place string `json:"place"`
	Way   string `json:"way"`
	Times int    `json:"times"`
}
