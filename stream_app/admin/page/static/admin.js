// What htmx does not do by itself: say what the API answered, send JSON, and let files be dropped.
const within = (element, selector) => element.closest("form, section")?.querySelector(selector);
const trouble = document.getElementById("trouble");
const SIGN_IN = "/page/sign-in";

function say(place, words) {
  place.textContent = words;
  place.hidden = !words;
}

// The API's errors are problems with a `detail` for people; whatever else comes is no answer of it.
function refused(xhr) {
  try {
    return JSON.parse(xhr.responseText).detail;
  } catch {
    return xhr.status ? `The service answered ${xhr.status}.` : "The service does not answer; is it running?";
  }
}

// Only pages become parts of this page. What the API answers is JSON that repeats users' words, and htmx would look into
// it for parts that say themselves where they belong, even where nothing is to be swapped.
addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) detail.shouldSwap = false;
});

// After an action: to where the form says, to the job that it began, or every part of the page that cares looks again.
// Whose session has ended meanwhile, or was ended in another tab, signs in again.
addEventListener("htmx:afterRequest", ({ detail: { elt, xhr, successful, requestConfig } }) => {
  if (xhr.status === 401 && location.pathname !== SIGN_IN) return location.assign(SIGN_IN);
  if (requestConfig.verb === "get") return say(trouble, successful ? "" : refused(xhr));
  say(within(elt, ".problem") ?? trouble, successful ? "" : refused(xhr));
  sending(elt, null);
  if (!successful) return;
  const then = elt.getAttribute("data-then"); // a form's `dataset` is its field of that name
  if (then === "location") location.assign(`/page${xhr.getResponseHeader("Location")}`);
  else if (then) location.assign(then);
  else htmx.trigger(document.body, "changed");
});

// A part that asks again by itself tells that there are other releases; then those look again that do not.
addEventListener("htmx:afterSwap", ({ target, detail: { target: before } }) => {
  if (target.id === before.id && target.dataset.releases !== before.dataset.releases) htmx.trigger(document.body, "changed");
});

// Fields of several words, one a line, are sent as a field each, and empty ones not at all.
addEventListener("htmx:configRequest", ({ detail: { elt, formData } }) => {
  for (const field of elt.querySelectorAll?.("[data-list]") ?? []) {
    formData.delete(field.name);
    for (const word of field.value.split("\n")) if (word.trim()) formData.append(field.name, word);
  }
});

htmx.defineExtension("json", {
  onEvent: (name, { detail }) => {
    if (name === "htmx:configRequest") detail.headers["Content-Type"] = "application/json";
  },
  encodeParameters: (xhr, parameters, form) => {
    const content = {};
    for (const [name, value] of parameters) {
      const field = form.elements[name];
      if (field.matches("[data-list]")) (content[name] ??= []).push(value);
      else if (field.type === "checkbox") content[name] = value === "true";
      else if (value) content[name] = value;
    }
    return JSON.stringify(content);
  },
});

// How far an upload is.
addEventListener("htmx:xhr:progress", ({ target, detail: { loaded, total } }) => sending(target, loaded / total));

function sending(form, share) {
  const place = form.querySelector?.(".sending");
  if (!place) return;
  place.hidden = share === null;
  place.firstElementChild.value = share ?? 0;
  place.lastElementChild.textContent = share < 1 ? `sending, ${Math.round(100 * share)} %` : "looking at it …";
}

// A place to drop files on shows the file that it got, and suggests a name for its dataset.
for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input"), words = drop.querySelector(".drop-words"), usual = words.innerHTML;
  const over = (is) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", is);
  };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const chosen = () => {
    const file = input.files[0];
    drop.classList.toggle("full", Boolean(file));
    if (file) words.textContent = `${file.name}, ${size(file.size)}`;
    else words.innerHTML = usual;
    const name = input.form.elements.dataset;
    if (file && name && !name.value) name.value = suggested(file.name);
  };
  input.addEventListener("change", chosen);
  addEventListener("pageshow", chosen); // who comes back finds it filled in by the browser
}

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const suggested = (file) => file.toLowerCase().replace(/\..*$/, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
