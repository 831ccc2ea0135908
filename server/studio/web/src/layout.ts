import { kept } from "./cell";

/** How the panes stand; the browser remembers. */
export const side = kept<"form" | "text">("side", "form");
export const panel = kept<boolean>("panel", innerWidth > 700);
export const panelWide = kept<number>("panelWide", 380);
export const tree = kept<boolean>("tree", innerWidth > 700);
export const treeWide = kept<number>("treeWide", 264);
export const treeTab = kept<"flows" | "nodes">("treeTab", "flows");
export const drawer = kept<boolean>("drawer", true);
export const drawerTall = kept<number>("drawerTall", 270);
export const drawerTab = kept<"run" | "problems" | "live">("drawerTab", "run");
export const theme = kept<"system" | "light" | "dark">("theme", "system");

const dark = matchMedia("(prefers-color-scheme: dark)");

/** paint sets the theme of the page, now and whenever it changes. */
export function paint() {
  const set = () => {
    const t = theme.get();
    document.documentElement.dataset.theme = t === "system" ? (dark.matches ? "dark" : "light") : t;
  };
  set();
  theme.watch(set);
  dark.addEventListener("change", set);
}
