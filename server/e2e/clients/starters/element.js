// h makes an element of HTML: h("button", { onclick }, "Save").
export function h(name, props = {}, ...children) {
	const e = Object.assign(document.createElement(name), props);
	e.append(...children.filter((c) => c != null));
	return e;
}

// show puts a page in the place of the one before.
export function show(...children) {
	document.querySelector("main").replaceChildren(...children.filter((c) => c != null));
}

// form makes a form of fields, as in { email: "email" }, which calls submit with their
// values and shows the errors that it returns.
export function form(fields, button, submit) {
	const errors = h("p", { className: "errors", role: "alert" });
	const inputs = Object.entries(fields).map(([name, [type, label]]) => h("label", {}, label, h("input", { name, type, required: true })));
	return h("form", {
		onsubmit: async (event) => {
			event.preventDefault();
			const values = Object.fromEntries(new FormData(event.target));
			const failed = await submit(values);
			errors.replaceChildren(...(failed?.items ?? []).map((i) => h("span", {}, i.message)));
		},
	}, ...inputs, h("button", {}, button), errors);
}

// go leads to a page of the application.
export function go(path) {
	history.pushState(null, "", path);
	dispatchEvent(new PopStateEvent("popstate"));
}

// link leads there when it is clicked.
export const link = (path, text) => h("a", { href: path, onclick: (event) => (event.preventDefault(), go(path)) }, text);

// pages shows the page of the address, now and whenever it changes.
export function pages(all) {
	const turn = () => (all[location.pathname] ?? all["/"])(new URLSearchParams(location.search));
	addEventListener("popstate", turn);
	turn();
}
