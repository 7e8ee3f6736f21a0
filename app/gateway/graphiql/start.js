"use strict";

const url = new URL("/graphql", location.href);
const socket = new URL(url);
socket.protocol = url.protocol.replace("http", "ws");

const FIRST_QUERY = `# Mã truy cập cho ô Headers bên dưới / A token for the Headers box below:
#   python3 dev.py sokhoe demo token --as citizen:1
query Home {
  me {
    fullName
  }
  healthBook {
    visits(first: 3) {
      nodes {
        startedAt
        facility { name }
        diagnoses { role code name }
      }
    }
  }
}
`;

const send = GraphiQL.createFetcher({
  url: url.href,
  subscriptionUrl: socket.href,
  enableIncrementalDelivery: false,
});

// The schema is told to everybody in the demo, and must be there before a token is.
const fetcher = (asked, options) => {
  const { Authorization, ...rest } = options?.headers ?? {};
  return send(asked, asked.operationName === "IntrospectionQuery" ? { ...options, headers: rest } : options);
};

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: FIRST_QUERY,
    defaultHeaders: '{\n  "Authorization": "Bearer TOKEN",\n  "Accept-Language": "vi"\n}',
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: false,
  }),
);
