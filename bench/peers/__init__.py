"""Who else answers such questions: published servers, each as its own makers advise."""
