// A shop over the endpoints of the application, with a page for those who keep it.
import { createClient } from "altogic";
import { form, go, h, link, pages, show } from "../element.js";

const altogic = createClient(document.querySelector("meta[name=api]").content, "starter-client-key", { signInRedirect: "/sign-in" });
const keeps = () => altogic.auth.getSession()?.accessGroupKeys.includes("shopkeeper");
const euros = (cents) => (cents / 100).toLocaleString("en-IE", { style: "currency", currency: "EUR" });
const told = (errors) => show(head(), h("p", { className: "errors" }, h("span", {}, errors.items[0].message)), link("/", "To the shop"));

const head = () =>
	h("nav", {}, link("/", "Stationery"), link("/basket", "Basket"), link("/orders", "Orders"), keeps() ? link("/keeper", "Keeper") : null,
		altogic.auth.getSession()
			? h("button", { onclick: async () => (await altogic.auth.signOut(), go("/")) }, "Sign out")
			: link("/sign-in", "Sign in"));

const signIn = () =>
	show(head(), h("h1", {}, "Sign in"),
		form({ email: ["email", "E-mail"], password: ["password", "Password"] }, "Sign in", async ({ email, password }) => {
			const { errors } = await altogic.auth.signInWithEmail(email, password);
			if (errors) return errors;
			go("/");
		}));

const products = async () => {
	const { data, errors } = await altogic.endpoint.get("/examples/shop/products", { sort: "price" });
	if (errors) return told(errors);
	show(head(), h("h1", {}, "Stationery"),
		h("table", {}, ...data.products.map((p) =>
			h("tr", {}, h("td", {}, p.name), h("td", {}, euros(p.price)), h("td", {}, p.stock > 0 ? p.stock + " left" : "sold out"),
				h("td", {}, h("button", { onclick: () => add(p.sku) }, "Buy"))))),
		data.products.length ? null : h("p", {}, "Nothing to buy yet."));
};

async function add(sku) {
	const { errors } = await altogic.endpoint.post("/examples/shop/basket", { sku });
	if (errors?.status === 401) return go("/sign-in");
	if (errors) return told(errors);
	go("/basket");
}

const basket = async () => {
	const { data, errors } = await altogic.endpoint.get("/examples/shop/basket");
	if (errors) return told(errors);
	show(head(), h("h1", {}, "Basket"),
		h("table", {}, ...data.lines.map((l) =>
			h("tr", {}, h("td", {}, `${l.quantity} × ${l.sku}`),
				h("td", {}, h("button", { onclick: async () => (await altogic.endpoint.delete("/examples/shop/basket/" + l.sku), basket()) }, "Remove"))))),
		form({ name: ["text", "Name"], street: ["text", "Street"], city: ["text", "City"] }, "Order", async (address) => {
			const { errors } = await altogic.endpoint.post("/examples/shop/checkout", { address: { ...address, country: "be" } });
			if (errors) return errors;
			go("/orders");
		}));
};

const orders = async () => {
	const { data, errors } = await altogic.endpoint.get("/examples/shop/orders");
	if (errors) return told(errors);
	show(head(), h("h1", {}, "Orders"),
		h("table", {}, ...data.orders.map((o) =>
			h("tr", {}, h("td", {}, o.lines.map((l) => `${l.quantity} × ${l.name}`).join(", ")), h("td", {}, euros(o.goods + o.shipping)), h("td", {}, o.status)))));
};

const keeper = () =>
	show(head(), h("h1", {}, "Add a product"),
		form({ sku: ["text", "Number"], name: ["text", "Name"], price: ["number", "Price in cents"], stock: ["number", "Pieces"] }, "Add", async (p) => {
			const product = { sku: p.sku, name: p.name, category: "pens", price: Number(p.price), stock: Number(p.stock) };
			const { errors } = await altogic.endpoint.post("/examples/shop/admin/products", product);
			if (errors) return errors;
			go("/");
		}));

pages({ "/": products, "/sign-in": signIn, "/basket": basket, "/orders": orders, "/keeper": keeper });
