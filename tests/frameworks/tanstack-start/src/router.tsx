import { createRouter } from "@tanstack/react-router";
import { routeTree } from "./routeTree.gen";

export const getRouter = () => createRouter({ routeTree, defaultNotFoundComponent: () => <h1>nothing here</h1> });
