// The values of inputs: where they are read from, and what they begin with.
//
// A surface is what elements live on: `{ kind, act(name, value, confirm), initial(name, element), suggest(name, text) }`.

const readers = new WeakMap();

/** Make an element's node a field: `read` returns its value, in the form that the control API takes. */
export function asField(node, name, read) {
  node.dataset.field = name;
  readers.set(node, read);
  return node;
}

/** Return the values of all fields within a node, by name. */
export async function valuesIn(node) {
  const fields = [...node.querySelectorAll("[data-field]")];
  const values = await Promise.all(fields.map((field) => readers.get(field)()));
  return Object.fromEntries(fields.map((field, index) => [field.dataset.field, values[index]]));
}

/** Return the current raw state of each field, so that a view drawn again keeps what a person has typed. */
export function keptIn(node) {
  return new Map([...node.querySelectorAll("[data-field]")].map((field) => [field.dataset.field, field]));
}

/** Return the name of an element for the control API. */
export function nameOfElement(block, element) {
  return `${block.block_id}/${element.action_id}`;
}

/** Return the options that an element lists itself. */
export function optionsOf(element) {
  return [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
}

/** Return an element's state in the form of Slack's `state.values`: what was typed, or what the app has set. */
export function initialState(typed, name, element) {
  const state = typed?.[name] ?? {};
  const first = (key, initial) => (key in state ? state[key] : element[initial]);
  return {
    text: first("value", "initial_value") ?? "",
    option: first("selected_option", "initial_option") ?? null,
    options: first("selected_options", "initial_options") ?? [],
    date: first("selected_date", "initial_date") ?? "",
    time: first("selected_time", "initial_time") ?? "",
    moment: first("selected_date_time", "initial_date_time") ?? null,
    id:
      first("selected_user", "initial_user") ??
      first("selected_channel", "initial_channel") ??
      first("selected_conversation", "initial_conversation") ??
      null,
    ids:
      first("selected_users", "initial_users") ??
      first("selected_channels", "initial_channels") ??
      first("selected_conversations", "initial_conversations") ??
      [],
    files: state.files ?? [],
  };
}
