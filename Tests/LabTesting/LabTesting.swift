enum LabTestingPlaceholder {}
